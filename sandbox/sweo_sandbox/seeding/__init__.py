"""Realistic data for both sides from one random seed.

:mod:`records` draws accounts and people with what each side knows of them; each side then takes
its own half, so that the two can be filled apart and still match.
"""
