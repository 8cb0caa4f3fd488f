"""What is installed, what the machine has, what is reachable, and what a job would take here."""
