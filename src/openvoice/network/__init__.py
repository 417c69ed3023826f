"""What ways this device has into the network, and that they changed."""
