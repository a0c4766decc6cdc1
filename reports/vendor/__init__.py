"""The page for a vendor: what their server does otherwise than their document says, in one file to send to them."""
