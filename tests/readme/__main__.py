from tests.readme.blocks import README, refreshed

README.write_text(refreshed(README.read_text()))
