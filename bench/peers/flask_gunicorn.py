"""How gunicorn serves flask_plain.py: two processes with threads, the common choice."""

worker_class = "gthread"
workers = 2
threads = 8
control_socket_disable = True
