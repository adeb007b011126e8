"""Services, monitors and network policies: whom they lead to, and through which port."""
