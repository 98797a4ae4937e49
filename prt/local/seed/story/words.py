"""The texts in the rows that the story adds: names, titles, comments."""

from __future__ import annotations

PEOPLE = ("Maya", "Ines", "Tomasz", "Aiko", "Samuel", "Freja", "Luca", "Hanna", "Ole", "Priya")

TASKS = (
    "Re-tape the dance floor",
    "Swap the lead vocal capsule",
    "Collect drum riser from the warehouse",
    "Move the catering tent two metres east",
    "Update the input list",
    "Charge forty radios",
    "Find a vegan rider for twelve",
    "Print the new running order",
    "Focus the side lights",
    "Walk the evacuation route",
    "Answer the neighbours' letter",
    "Re-patch monitor mix 6",
    "Translate the safety briefing",
    "Dry the follow spot platform",
    "Sign for the piano",
    "Check wind speed on the roof",
    "Render the intro with new logo",
    "Label flight cases for Oslo",
)
LABELS = ("stage", "audio", "lighting", "video", "site", "hospitality")
COMMENTS = (
    "Done, please check.",
    "Waiting for the van.",
    "Can we do this before doors?",
    "Moved to tomorrow, rain from 16:00.",
    "Two more hands and it is ten minutes.",
    "The spare is in case 14.",
    "Agreed with the venue, dörren öppnas 17:30.",
    "Which cable colour this time?",
    "Photo is in the folder 📷",
)
EXPENSES = (
    "Diesel for the generators",
    "Extra stagehands, four hours",
    "Gaffer and batteries",
    "Replacement lamp",
    "Taxi for the string section",
    "Crew meals",
    "Second truck",
    "Fence panels",
    "Courier from Hamburg",
    "Overnight parking",
)
PURCHASES = (
    "Cable ramps",
    "Rain covers",
    "Drum heads",
    "Fog fluid",
    "Wristbands",
    "Ice, 200 kg",
    "Hi-vis vests",
)
INCIDENTS = (
    ("Generator 2 low on fuel", "technical", "moderate"),
    ("Water on the monitor desk", "technical", "major"),
    ("Visitor with a sprained ankle", "medical", "minor"),
    ("Drone over the audience", "security", "major"),
    ("Queue blocks the tram", "security", "moderate"),
    ("Wind above the limit at the roof", "safety", "critical"),
    ("Child found at the info point", "welfare", "minor"),
)
BOOKINGS = (
    ("Bus to the ferry", "transport"),
    ("String quartet", "artist"),
    ("Relief lighting operator", "crew"),
    ("Duo Kastanj", "artist"),
    ("Cherry picker", "equipment"),
    ("Hotel, six rooms", "hotel"),
    ("Sign language interpreter", "service"),
)
APPROVALS = (
    "Overtime for the night crew",
    "Third truck to Oslo",
    "Longer console hire",
    "Fireworks permit fee",
)
ORDERS = ("Festival shirts", "Reusable cups", "Vinyl, second pressing", "Tour posters", "Ear plugs")
POSTS = (
    ("Coffee at the workshop", "Fresh pot until it is gone."),
    ("Ride to Helsinki?", "One seat, no luggage."),
    ("Found a glove", "Left, size 9, smells of smoke machine."),
    ("Sound check moved", "Half an hour earlier for everyone."),
)
FILES = (
    ("input-list.pdf", "application/pdf"),
    ("running-order.xlsx", "application/vnd.ms-excel"),
    ("roof-loads.pdf", "application/pdf"),
    ("sunset.jpg", "image/jpeg"),
)
PLACES = ("/productions", "/run-of-show", "/budgets", "/tasks/board", "/incidents", "/crew")
