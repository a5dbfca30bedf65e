print("chaosrig")
