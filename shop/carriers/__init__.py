"""Those who carry parcels: one interface, and a file for each carrier that speaks by itself."""
