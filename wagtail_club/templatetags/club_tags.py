from django import template

register = template.Library()


@register.simple_tag
def points(number, programme):
    """Write ``number`` of points in the programme's own words: "250 petals"."""
    return programme.points_label(number)
