"""Who somebody is: accounts, passwords, sessions and providers of identities."""
