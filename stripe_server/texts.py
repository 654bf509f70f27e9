"""What a customer reads on the pages, in English and French."""

TEXTS = {
    "en": {
        "demo": "This is a demonstration: no real card, no real money.",
        "title": "Pay {shop}",
        "summary": "Your order",
        "total": "Total to pay",
        "card": "Card",
        "number": "Card number",
        "number_help": "A test number is filled in. Any of Stripe’s test cards works.",
        "email": "Email",
        "optional": "optional",
        "pay": "Pay {amount}",
        "declined": "Pay with a declined card",
        "three_d_secure": "Pay with 3-D Secure",
        "leave": "Leave and go back to {shop}",
        "others": "Or see what else can happen",
        "problem": "Your payment did not go through",
        "again": "You have not been charged. You can try again, or with another card.",
        "bank": "Your bank asks",
        "bank_question": "Do you confirm this payment of {amount} to {shop}?",
        "complete": "Complete authentication",
        "fail": "Fail authentication",
        "paid_title": "This has been paid",
        "paid": "Your payment was received. There is nothing more to do here.",
        "expired_title": "This page has expired",
        "expired": "Nothing was charged. Go back to the shop to start again.",
        "back": "Back to {shop}",
        "missing_title": "There is no such page",
        "missing": "Perhaps the address is incomplete. Go back to the shop and try once more.",
        "quantity": "{name} × {quantity}",
        "errors": {
            "card_declined": "Your card was declined.",
            "insufficient_funds": "Your card has insufficient funds.",
            "expired_card": "Your card has expired.",
            "incorrect_cvc": "Your card’s security code is incorrect.",
            "processing_error": "An error occurred while processing your card. Try again in a little bit.",
            "incorrect_number": "Your card number is incorrect. Here only Stripe’s test cards work.",
            "payment_intent_authentication_failure": "Your bank could not confirm that it is you.",
        },
    },
    "fr": {
        "demo": "Ceci est une démonstration : ni vraie carte, ni véritable argent.",
        "title": "Payer {shop}",
        "summary": "Votre commande",
        "total": "Total à payer",
        "card": "Carte",
        "number": "Numéro de carte",
        "number_help": "Un numéro de test est déjà saisi. Toutes les cartes de test de Stripe conviennent.",
        "email": "Adresse e-mail",
        "optional": "facultatif",
        "pay": "Payer {amount}",
        "declined": "Payer avec une carte refusée",
        "three_d_secure": "Payer avec 3-D Secure",
        "leave": "Quitter et revenir à {shop}",
        "others": "Ou voyez ce qui peut aussi arriver",
        "problem": "Votre paiement n’a pas abouti",
        "again": "Rien n’a été débité. Vous pouvez réessayer, ou prendre une autre carte.",
        "bank": "Votre banque vous demande",
        "bank_question": "Confirmez-vous ce paiement de {amount} à {shop} ?",
        "complete": "Confirmer l’authentification",
        "fail": "Refuser l’authentification",
        "paid_title": "C’est payé",
        "paid": "Votre paiement a bien été reçu. Il n’y a plus rien à faire ici.",
        "expired_title": "Cette page a expiré",
        "expired": "Rien n’a été débité. Revenez à la boutique pour recommencer.",
        "back": "Revenir à {shop}",
        "missing_title": "Cette page n’existe pas",
        "missing": "L’adresse est peut-être incomplète. Revenez à la boutique et réessayez.",
        "quantity": "{name} × {quantity}",
        "errors": {
            "card_declined": "Votre carte a été refusée.",
            "insufficient_funds": "Les fonds de votre carte sont insuffisants.",
            "expired_card": "Votre carte a expiré.",
            "incorrect_cvc": "Le code de sécurité de votre carte est incorrect.",
            "processing_error": "Une erreur est survenue lors du traitement de votre carte. Réessayez dans un instant.",
            "incorrect_number": "Le numéro de carte est incorrect : seules les cartes de test de Stripe conviennent.",
            "payment_intent_authentication_failure": "Votre banque n’a pas pu confirmer qu’il s’agit bien de vous.",
        },
    },
}


def language(locale, accepted):
    """The session's own language, or with "auto" and none the browser's first that there is."""
    if locale and locale != "auto":
        return "fr" if locale.partition("-")[0] == "fr" else "en"
    wishes = []
    for place, part in enumerate((accepted or "").split(",")):
        name, _, weight = part.partition(";q=")
        try:
            wishes.append((-float(weight or 1), place, name.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return next((name for *_, name in sorted(wishes) if name in TEXTS), "en")
