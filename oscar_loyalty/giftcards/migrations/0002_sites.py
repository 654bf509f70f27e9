import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def fill(apps, schema_editor):
    """Cards are of the Site of their order; without one, of the shop's only Site, as far as anybody knows."""
    Site, Card = apps.get_model("sites", "Site"), apps.get_model("loyalty_giftcards", "GiftCard")
    Batch = apps.get_model("loyalty_giftcards", "GiftCardBatch")
    using = schema_editor.connection.alias
    default = Site.objects.using(using).filter(pk=getattr(settings, "SITE_ID", None)).first()
    default = default or Site.objects.using(using).order_by("pk").first()
    if default is None:
        return
    Order = apps.get_model("order", "Order")
    own = Order.objects.filter(pk=models.OuterRef("order")).values("site")
    Card.objects.using(using).filter(order__site__isnull=False).update(site=models.Subquery(own))
    for model in (Card, Batch):
        model.objects.using(using).filter(site__isnull=True).update(site=default.pk)


def site(**more):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site", verbose_name="site", **more
    )


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty_giftcards", "0001_initial"),
        ("order", "0001_initial"),
        ("sites", "0001_initial"),
    ]

    operations = [
        migrations.AddField("giftcard", "site", site(null=True, help_text="Where it was issued, and pays.")),
        migrations.AddField("giftcardbatch", "site", site(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
