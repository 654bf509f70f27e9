from django.db import models


class DemoLoad(models.Model):
    """That the demo was begun, for which day and how large; a run that was cut short goes on from here."""

    today = models.DateField()
    members = models.PositiveIntegerField()
    months = models.PositiveIntegerField()
    seed = models.PositiveIntegerField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"{self.members} members, {self.months} months until {self.today}"
