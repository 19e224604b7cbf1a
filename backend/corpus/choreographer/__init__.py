"""The choreographer: two-person interactions built from real clip segments, inverse kinematics and a drawn script."""
