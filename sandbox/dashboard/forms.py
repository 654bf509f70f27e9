def in_french(view, *names):
    """Return ``view`` with a form that asks for the French of each field named, below the English."""

    class Form(view.form_class):
        class Meta(view.form_class.Meta):
            fields = [*view.form_class.Meta.fields, *(f"{name}_fr" for name in names)]

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            french = {f"{name}_fr" for name in names}
            rest = [name for name in self.fields if name not in french]
            self.order_fields([field for name in rest for field in (name, f"{name}_fr")])

    return type(view.__name__, (view,), {"form_class": Form, "__module__": __name__})
