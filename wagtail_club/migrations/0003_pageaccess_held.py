from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wagtail_club", "0002_club")]

    operations = [
        migrations.AddField(
            model_name="pageaccess",
            name="held",
            field=models.BooleanField(default=False, verbose_name="kept closed until it is published"),
        ),
    ]
