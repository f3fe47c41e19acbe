"""Redis: how it is found, started, checked and connected to, and the keys that Koe keeps in it."""
