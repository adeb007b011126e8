"""What a release is made of: archives, lock, licences, manual pages, manifests of package managers, workflows."""
