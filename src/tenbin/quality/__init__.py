"""Quality as the business means it: metrics on answers, checked judges, and how far either is to be believed."""
