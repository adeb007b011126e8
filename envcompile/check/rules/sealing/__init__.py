"""The private keys that open SealedSecrets: nobody but their controller may read or change them."""
