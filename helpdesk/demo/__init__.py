"""The demo year: who is in it (`people`), what happens (`stories_ru`, `stories_en`, told in the words of `story`)."""
