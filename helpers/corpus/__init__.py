"""The written messages; their data card is ``README.md`` in this folder, `helpers.data` loads them."""
