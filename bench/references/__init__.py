"""What our figures are held against: floors, and typical programs of the same job."""
