"""The storefront: browse, cart, checkout, orders, payments, delivery."""
