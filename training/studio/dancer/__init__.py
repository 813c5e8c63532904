"""A dancer: choreography on a plan, performed by a body within human limits; `moves` holds what it can do."""
