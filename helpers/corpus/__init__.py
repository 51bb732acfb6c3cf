"""The written messages. Their data card is ``README.md`` here; `helpers.data` loads them."""
