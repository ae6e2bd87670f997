"""Worklist Service (PS3.18 11): work items, subscriptions, events over WebSocket."""
