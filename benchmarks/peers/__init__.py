"""What Genesis is compared with; these modules run in processes of their own."""
