from django.db import models


class BookableService(models.Model):
    """Which service of the booking calendar a product of the shop is."""

    product = models.OneToOneField("catalogue.Product", on_delete=models.CASCADE, related_name="bookable")
    service = models.OneToOneField("appointment.Service", on_delete=models.CASCADE, related_name="bookable")

    def __str__(self):
        return f"{self.product} = {self.service}"
