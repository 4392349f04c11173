"""The report: one HTML file for a club, an athlete or a physiotherapist, and its charts."""
