"""What every command shares: flags, processes, provenance, schedules."""
