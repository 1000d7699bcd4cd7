"""What scripted servers share: the connection, its judge, a voice and ears. It knows no provider."""
