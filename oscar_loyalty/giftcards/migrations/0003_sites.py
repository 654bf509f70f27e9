import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """By itself: PostgreSQL does not change a table in the transaction that has filled it."""

    dependencies = [("loyalty_giftcards", "0002_sites")]

    operations = [
        migrations.AlterField(
            "giftcard",
            "site",
            models.ForeignKey(
                help_text="Where it was issued, and pays.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="sites.site",
                verbose_name="site",
            ),
        ),
        migrations.AlterField(
            "giftcardbatch",
            "site",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site", verbose_name="site"
            ),
        ),
        migrations.AddIndex("giftcard", models.Index(fields=["site", "-created_at"], name="loyalty_giftcard_site")),
    ]
