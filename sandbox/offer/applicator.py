from oscar.apps.offer import applicator

from oscar_loyalty.privileges.catalogue import EarlyAccessApplicatorMixin


class Applicator(EarlyAccessApplicatorMixin, applicator.Applicator):
    pass
