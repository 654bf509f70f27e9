from django.core.management.base import BaseCommand

from wagtail_club import access


class Command(BaseCommand):
    help = "Decide anew who may see which page of the club. For pages that were there before it, and after loaddata."

    def handle(self, **options):
        self.stdout.write(f"{access.rebuild()} pages of the club.")
