"""The few words that the simulation knows by itself, folded (lower case, no accents), in four languages."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOPWORDS = _words(
    """
    a i about after again all also am an and any are as at be been before but by can could did do does doing
    done for from get give given had has have having he hello help her here hey hi him his how if in into is it its
    just know let like may me might mine more most much must my need no not now of off ok okay on one only or
    other our out over per please said say she should show so some such tell than thank thanks that the their
    them then there these they this those through to today tomorrow tonight too under us use used user users
    very want was we were what when where whether which while who whom whose why will with would yes yet you
    your current currently example check look fetch handle return returns make question questions answer answers
    agent tool

    au aux avec bonjour ce ces cette comment dans de des donc du elle elles en est et eux il ils je la le les
    leur lui ma mais me merci mes moi mon ne nos notre nous on ou par pas plus pour pourquoi quand que quel
    quelle quelles quels qui quoi sa salut ses si son sont sur ta te tes toi ton tu un une vos votre vous

    aber als am auf aus bei bin bist bitte da danke das dem den der die doch ein eine einem einen einer er es
    fur hallo ich ihr im ist kann kein man mein meine mich mir mit nach nicht oder sie sind und uns von war
    warum was wie wir wo zu zum zur

    al como con cual cuando del donde el ella es esta este gracias hay hola la las lo los mi mis muy no para
    pero por que quien se ser si sin sobre su sus te tu una uno usted y yo
    """
)
"""Words that say nothing of what a message is about."""

GREETINGS = _words("hello hi hey bonjour salut coucou hallo hola ciao moin greetings")

QUESTION_OPENERS = _words(
    """
    what what's who when where which why how find search look lookup explain
    qui quand ou quel quelle quels quelles pourquoi comment cherche trouve
    wer wann wo was warum wie suche quien cuando donde cual cuanto como busca
    """
)
"""First words that make a message a question, also without its question mark."""

PREPOSITIONS = _words(
    """
    in at for from to near around of on
    a au en de du pour vers dans chez pres
    bei nach aus fur um von
    para desde hasta cerca
    """
)
"""Words that a name follows: "in Lyon", "for Ada"."""

CONJUNCTIONS = ("and", "or", "et", "ou", "und", "oder", "y", "&")

CALENDAR = _words(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december
    """
)
"""Capitalised words that name neither a place nor a person."""

CONCEPTS = {
    "billing": _words("""
        bill billing invoice pay paid payment charge charged refund receipt subscription subscribe money fee
        facture paiement payer paye payee abonnement remboursement rembourser
        rechnung zahlung bezahlen bezahlt abo factura pago pagar pagado suscripcion
    """),
    "technical": _words("""
        technical technology error bug crash crashed issue problem broken fail failure failing system server
        outage down install installation configuration configure troubleshooting connect connection
        technique erreur panne probleme systeme serveur bloque
        technisch fehler storung systemausfall absturz tecnico sistema servidor falla
    """),
    "weather": _words("""
        weather forecast temperature rain raining sunny snow wind climate
        meteo temps pluie pleut wetter regen clima tiempo lluvia
    """),
    "search": _words("search find lookup web internet google chercher cherche recherche trouver suche suchen buscar"),
    "orders": _words("""
        order delivery deliver shipping ship shipment package parcel tracking
        commande livraison colis bestellung lieferung paket pedido envio entrega
    """),
    "calendar": _words("""
        calendar meeting appointment schedule agenda booking reservation book reserve
        reunion rendezvous termin kalender cita reserva
    """),
    "sales": _words("""
        sales buy purchase quote offer pricing price upgrade demo product
        acheter achat devis prix kaufen angebot preis comprar precio oferta
    """),
    "account": _words("account login password profile signin signup compte connexion konto passwort cuenta"),
    "travel": _words("travel trip flight hotel train voyage vol reise flug viaje vuelo"),
    "translation": _words("translate translation traduire traduction ubersetzen ubersetzung traducir traduccion"),
    "arithmetic": _words("calculate calculator compute math sum multiply divide calculer calcul rechnen calcular"),
}
"""Words that point to the same subject: "paid" fits a tool about invoices."""

ID_WORDS = _words("id identifier number reference ref code key sku ticket order invoice uuid serial account")
PLACE_WORDS = _words(
    """
    location place city town country region state address destination origin departure arrival area where ville
    lieu pays ort stadt land ciudad pais lugar
    """
)
QUERY_WORDS = _words("query question search q term keyword")
TEXT_WORDS = QUERY_WORDS | _words(
    "text message prompt input topic subject content body request description note comment sentence"
)
PERSON_WORDS = _words("name person customer client author recipient title company user nom kunde nombre")
