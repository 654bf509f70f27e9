"""A mail server that is away, and quotes what it was given, as some do."""

from smtplib import SMTPDataError

from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    def send_messages(self, messages):
        raise SMTPDataError(451, f"Try later: {messages[0].subject} {messages[0].body}".encode())
