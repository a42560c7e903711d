"""The table of people."""

from django.db import migrations, models

import gallery.fields


class Migration(migrations.Migration):
    """Create the table."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("portrait", gallery.fields.CroppedImageField(upload_to="portraits")),
            ],
        ),
    ]
