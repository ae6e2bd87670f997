"""What commands share: options, lazy groups, the console."""
