"""Invented names, and the reserved domains and documentation addresses that are all the demo may show."""

FIRST_NAMES = tuple(
    "Ada Amara Anil Asha Ben Carla Chen Dara Deepak Elif Emil Farah Femi Gita Hana Hugo Ines Isha Ivan Jonas Kavya Kofi "
    "Lars Leila Lena Luca Maya Meera Milan Nadia Nikhil Noor Omar Oona Pavel Petra Priya Rafa Ravi Rosa Sana Selin "
    "Tariq Tessa Uma Vera Wanda Yara Yusuf Zoe".split()
)
LAST_NAMES = tuple(
    "Abram Adeyo Banerji Bergo Castel Chandor Dimitro Eklo Fenwo Garro Halvor Ibarro Iyengo Jansko Kapuri Kestrel "
    "Lindo Marlo Menoni Novako Okoro Orlan Patelo Quillo Raoni Rinaldo Sandor Sethi Thorne Umaro Vargo Weller Xanto "
    "Yildo Zimmero".split()
)
COMPANY_FIRST = tuple(
    "Amber Birch Cobalt Delta Ember Fern Gable Harbor Indigo Juniper Kite Lumen Maple Nimbus Opal Pebble Quartz River "
    "Saffron Timber Umber Velvet Willow Yarrow Zephyr".split()
)
COMPANY_SECOND = tuple("Bakery Books Clinic Coffee Cycles Fitness Foods Gardens Goods Labs Outdoors Studio Travel".split())
INDUSTRIES = ("retail", "restaurant", "healthcare", "ecommerce", "education", "travel", "software", "fitness")

# Receiving domains: the first is the largest, the fifth delivers badly.
MAIL_DOMAINS = (
    "mail.example",
    "inbox.example",
    "example.com",
    "post.example",
    "oldmail.test",
    "example.org",
    "corp.example",
    "example.net",
)
MAIL_DOMAIN_SHARES = (0.34, 0.2, 0.15, 0.1, 0.06, 0.06, 0.05, 0.04)
BAD_DOMAIN = 4

ADDRESS_BLOCKS = ("192.0.2", "198.51.100", "203.0.113")
COUNTRIES = ("US", "IN", "DE", "GB", "FR", "CA", "AU", "NL", "ES", "BR")
CITIES = ("Harborview", "Lakewood", "Northgate", "Oldbridge", "Riverton", "Stonefield", "Westmere", "Zellbach")

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148",
)
DEVICES = ("desktop", "desktop", "mobile", "mobile", "desktop", "tablet")


def addresses() -> list[str]:
    """Every address of the three documentation blocks, and some of the IPv6 one."""
    four = [f"{block}.{host}" for block in ADDRESS_BLOCKS for host in range(1, 255)]
    return four + [f"2001:db8::{host:x}" for host in range(1, 200)]
