from astro_sdk import Client

with Client() as client:
    print(client.access.get_caller().api_key.org_id)
