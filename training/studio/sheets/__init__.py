"""Contact sheets: pairs as one looks at them."""
