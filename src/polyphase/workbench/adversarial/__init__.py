"""Train generators and discriminators against each other, and judge the images."""
