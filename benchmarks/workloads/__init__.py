"""What gesta is asked to do, each through the ordinary client and checked afterwards.

commands   durable commands by so many callers at once
"""
