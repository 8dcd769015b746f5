"""What a kernel is compiled for where nobody says it: from its text, its host code, and what the compiler says."""
