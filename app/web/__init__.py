"""What is served besides Streamlit: signing in, the gate before everything, health and metrics."""
