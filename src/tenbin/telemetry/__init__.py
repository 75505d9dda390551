"""What the gateway says about itself: metrics, logs without secrets, and traces where somebody asked for them."""
