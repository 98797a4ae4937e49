"""Sign-in as Supabase Auth serves it under `/auth/v1`."""
