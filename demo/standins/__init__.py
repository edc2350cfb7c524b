"""Stand-ins for other people's services: real servers on loopback that can be ill on wish."""
