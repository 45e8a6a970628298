"""The services of simulation_interfaces, a file for each group of them."""
