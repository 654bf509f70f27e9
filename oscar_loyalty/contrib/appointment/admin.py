from django.contrib import admin

from oscar_loyalty.loading import get_model


class ServiceLinkAdmin(admin.ModelAdmin):
    list_display = ["service", "product"]
    list_select_related = ["service", "product"]
    raw_id_fields = ["product"]
    search_fields = ["service__name", "product__title"]


admin.site.register(get_model("loyalty_appointment", "ServiceLink"), ServiceLinkAdmin)
