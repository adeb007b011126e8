"""What the VerticalPodAutoscaler's recommender (v1.8.1) would answer, as pure functions of usage samples."""
